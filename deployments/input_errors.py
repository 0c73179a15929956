"""What is wrong with what a caller sent: a branch of the tree in `deployments.errors`, whose rules hold here.

InputError                    400     malformed_input
├── EmptyInput                400     empty_input
├── MalformedImage            400     malformed_image
├── MalformedPdf              400     malformed_pdf
├── BadRequest                400     malformed_request
├── MalformedArchive          400     malformed_archive
├── UnsupportedMedia          415     unsupported_media_type
├── TooLarge                  413     too_large
│   ├── TooManyBytes          413     too_many_bytes
│   ├── TooManyPixels         413     too_many_pixels
│   ├── TooManyPages          413     too_many_pages
│   └── TooManyFiles          413     too_many_files
└── Unprocessable             422     unprocessable
    ├── InvalidOption         422     invalid_option
    ├── EncryptedPdf          422     encrypted_pdf
    ├── PageOutOfRange        422     page_out_of_range
    ├── OnePageOnly           422     one_page_only
    ├── UnknownDocumentType   422     unknown_document_type
    ├── StageNotInstalled     422     stage_not_installed
    ├── InvalidSchema         422     invalid_schema
    │   └── SchemaTooDeep     422     schema_too_deep
    ├── NoText                422     no_text
    └── LanguageNotInstalled  422     language_not_installed
"""

from deployments.errors import ServiceError


class InputError(ServiceError):
    """The caller sent something that cannot be read."""

    code = "malformed_input"
    status = 400
    title = "Malformed input"


class EmptyInput(InputError):
    """The file has no bytes, or no file was sent."""

    code = "empty_input"
    title = "Empty input"


class MalformedImage(InputError):
    """The bytes start like an image, but cannot be decoded to the end."""

    code = "malformed_image"
    title = "Malformed image"


class MalformedPdf(InputError):
    """The bytes start like a PDF, but cannot be opened, or a page of it cannot be rendered."""

    code = "malformed_pdf"
    title = "Malformed PDF"


class BadRequest(InputError):
    """The HTTP request itself is malformed: no file part, a broken multipart body."""

    code = "malformed_request"
    title = "Malformed request"


class UnsupportedMedia(InputError):
    """The bytes are of no kind that the service reads."""

    code = "unsupported_media_type"
    status = 415
    title = "Unsupported media type"


class TooLarge(InputError):
    """A limit of the service is exceeded."""

    code = "too_large"
    status = 413
    title = "Too large"


class TooManyBytes(TooLarge):
    """The upload has more bytes than the service accepts."""

    code = "too_many_bytes"
    title = "Too many bytes"


class TooManyPixels(TooLarge):
    """A page has more pixels than the service decodes."""

    code = "too_many_pixels"
    title = "Too many pixels"


class TooManyPages(TooLarge):
    """The document has more pages than the service reads in one request."""

    code = "too_many_pages"
    title = "Too many pages"


class TooManyFiles(TooLarge):
    """The job has more files than the service takes."""

    code = "too_many_files"
    title = "Too many files"


class MalformedArchive(InputError):
    """The bytes start like a ZIP, but cannot be unpacked, or unpack to more than they may."""

    code = "malformed_archive"
    title = "Malformed archive"


class Unprocessable(InputError):
    """The request is well formed, but cannot be served as it stands."""

    code = "unprocessable"
    status = 422
    title = "Unprocessable"


class InvalidOption(Unprocessable):
    """An option is unknown or has a value outside its range."""

    code = "invalid_option"
    title = "Invalid option"


class EncryptedPdf(Unprocessable):
    """The PDF needs a password."""

    code = "encrypted_pdf"
    title = "Encrypted PDF"


class PageOutOfRange(Unprocessable):
    """The pages asked for are not in the document."""

    code = "page_out_of_range"
    title = "Page out of range"


class OnePageOnly(Unprocessable):
    """The form of the answer holds one page, and more were asked for."""

    code = "one_page_only"
    title = "One page only"


class StageNotInstalled(Unprocessable):
    """The running graph has no stage for what was asked; the message says which."""

    code = "stage_not_installed"
    title = "Stage not installed"


class UnknownDocumentType(Unprocessable):
    """No rules are there for the type of document that was named."""

    code = "unknown_document_type"
    title = "Unknown document type"


class InvalidSchema(Unprocessable):
    """What was sent as a JSON Schema is none, or uses what is not supported."""

    code = "invalid_schema"
    title = "Invalid schema"


class SchemaTooDeep(InvalidSchema):
    """The JSON Schema is nested too deeply, or asks for too much."""

    code = "schema_too_deep"
    title = "Schema too deep"


class NoText(Unprocessable):
    """The pages have no text in which fields could be found."""

    code = "no_text"
    title = "No text"


class LanguageNotInstalled(Unprocessable):
    """No running recogniser reads the language; the message says which command installs one."""

    code = "language_not_installed"
    title = "Language not installed"
