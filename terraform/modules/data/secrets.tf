# Made once, at the first apply. Rotating one: put a new value into the secret, then start the services anew.
locals {
  secrets = {
    api-key     = "What callers send as x-api-key"
    ray-token   = "What Ray's nodes and the deployer show each other"
    valkey-auth = "Password of the head's store"
  }
}

data "aws_secretsmanager_random_password" "this" {
  for_each = local.secrets

  password_length     = 48
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:A new key or token needs the services started anew: an operator turns them over (docs/deploy.md)
  for_each = local.secrets

  name        = "${var.name}/${each.key}"
  description = each.value
  kms_key_id  = var.kms_key_arn
  # A secret that waits for its end keeps its name from the next stack.
  recovery_window_in_days = var.deletion_protection ? 7 : 0
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = local.secrets

  secret_id     = aws_secretsmanager_secret.this[each.key].id
  secret_string = data.aws_secretsmanager_random_password.this[each.key].random_password

  lifecycle {
    # The source makes another password at each plan; the first one stays.
    ignore_changes = [secret_string]
  }
}
