mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name = "ocr-test"
}

run "key" {
  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key turns over."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.this.policy).Statement :
      contains(keys(statement), "Condition") || can(regex(":root$", statement.Principal.AWS))
    ])
    error_message = "A service uses the key under a condition only."
  }
}
