mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name          = "ocr-test"
  callback_urls = ["https://app.example.com/callback"]
}

run "pool" {
  assert {
    condition     = aws_cognito_user_pool.this.admin_create_user_config[0].allow_admin_create_user_only
    error_message = "Users are invited."
  }

  assert {
    condition     = aws_cognito_user_pool.this.password_policy[0].minimum_length >= 12
    error_message = "Passwords are long."
  }

  assert {
    condition     = !aws_cognito_user_pool_client.web.generate_secret && aws_cognito_user_pool_client.web.allowed_oauth_flows == toset(["code"])
    error_message = "Browsers sign in by code, without a secret."
  }

  assert {
    condition     = startswith(output.issuer, "https://cognito-idp.ap-northeast-2.amazonaws.com/")
    error_message = "The issuer is the pool."
  }
}

run "plain_http" {
  command = plan

  variables {
    callback_urls = ["http://app.example.com/callback"]
  }

  expect_failures = [var.callback_urls]
}
