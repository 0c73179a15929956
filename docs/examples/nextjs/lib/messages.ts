import { OcrError } from "./ocr-client.ts";

/** What to say to a person. `code` decides, never the text, which may change. */
export function explain(error: unknown): string {
  if (!(error instanceof OcrError)) return "The service cannot be reached. Is there a network?";
  switch (error.code) {
    case "unauthorized":
      return "Please sign in again.";
    case "forbidden":
      return "This account may not read documents.";
    case "too_many_bytes":
      return "The file is too large. Split it, or scan it with fewer dots per inch.";
    case "unsupported_media_type":
      return "Only images and PDF files can be read.";
    case "encrypted_pdf":
      return "The PDF has a password. Remove it first.";
    case "rate_limited":
      return "You have used up your share. Try again later.";
    case "busy":
      return "The service is busy. Try again in a moment.";
    default:
      // The id leads the operator to the log line.
      return `The document could not be read (${error.code}, request ${error.requestId ?? "unknown"}).`;
  }
}
