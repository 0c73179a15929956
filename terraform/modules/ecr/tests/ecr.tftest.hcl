mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name        = "ocr-test"
  kms_key_arn = "arn:aws:kms:ap-northeast-2:123456789012:key/test"
}

run "repository" {
  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE"
    error_message = "A tag never moves."
  }

  assert {
    condition     = aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "Images are scanned."
  }

  assert {
    condition     = one(aws_ecr_repository.this.encryption_configuration[*].kms_key) == var.kms_key_arn
    error_message = "Images are encrypted by the stack's key."
  }
}

run "too_few_images" {
  command = plan

  variables {
    keep_images = 1
  }

  expect_failures = [var.keep_images]
}
