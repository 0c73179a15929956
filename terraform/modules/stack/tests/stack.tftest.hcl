mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name          = "ocr-test"
  image_tag     = "1"
  allowed_cidrs = ["203.0.113.0/24"]
  domain_name   = "ocr.example.com"
  zone_id       = "Z1"
}

run "api_key" {
  assert {
    condition     = output.cognito == null
    error_message = "No user pool unless users sign in."
  }

  assert {
    condition     = output.url == "https://ocr.example.com"
    error_message = "The service answers at its name."
  }
}

run "cognito" {
  variables {
    auth_mode = "cognito"
  }

  assert {
    condition     = output.cognito.issuer != null
    error_message = "Users sign in at a pool."
  }
}

run "internal" {
  variables {
    is_internal = true
  }
}

run "no_image" {
  command = plan

  variables {
    image_tag = null
  }

  expect_failures = [var.image_tag]
}

run "long_name" {
  command = plan

  variables {
    name = "a-name-that-is-longer-than-a-load-balancer-takes"
  }

  expect_failures = [var.name]
}
