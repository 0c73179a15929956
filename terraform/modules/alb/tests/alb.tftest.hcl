mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name           = "ocr-test"
  vpc_id         = "vpc-1"
  subnets        = ["subnet-a", "subnet-b"]
  security_group = "sg-alb"
  serve_port     = 8000
}

run "own_certificate" {
  variables {
    certificate_arn = "arn:aws:acm:ap-northeast-2:123456789012:certificate/own"
  }

  assert {
    condition     = aws_lb_listener.https.certificate_arn == var.certificate_arn && length(aws_acm_certificate.this) == 0
    error_message = "A certificate of one's own is used as it is."
  }

  assert {
    condition     = aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    error_message = "TLS 1.2 at least."
  }

  assert {
    condition     = aws_lb_listener.redirect.default_action[0].type == "redirect"
    error_message = "Port 80 only redirects."
  }

  assert {
    condition     = aws_lb_target_group.serve.health_check[0].path == "/-/healthz" && aws_lb_target_group.serve.target_type == "ip"
    error_message = "The balancer asks Serve's proxies."
  }

  assert {
    condition     = aws_lb_listener_rule.own_routes.action[0].type == "fixed-response"
    error_message = "Serve's own routes stay inside."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.logs.block_public_acls,
      aws_s3_bucket_public_access_block.logs.block_public_policy,
      aws_s3_bucket_public_access_block.logs.ignore_public_acls,
      aws_s3_bucket_public_access_block.logs.restrict_public_buckets,
    ])
    error_message = "Access logs are private."
  }

  assert {
    condition     = aws_lb.this.drop_invalid_header_fields && aws_lb.this.enable_deletion_protection
    error_message = "Broken headers are dropped; nothing deletes the balancer by a slip."
  }
}

run "made_certificate" {
  variables {
    domain_name = "ocr.example.com"
    zone_id     = "Z1"
  }

  assert {
    condition     = aws_acm_certificate.this[0].domain_name == "ocr.example.com" && length(aws_route53_record.name) == 1
    error_message = "A name gets its certificate and its record."
  }

  assert {
    condition     = output.url == "https://ocr.example.com"
    error_message = "The service answers at its name."
  }
}

run "no_certificate" {
  command = plan

  expect_failures = [aws_lb_listener.https]
}

run "too_impatient" {
  command = plan

  variables {
    certificate_arn = "arn:aws:acm:ap-northeast-2:123456789012:certificate/own"
    idle_timeout_s  = 60
  }

  expect_failures = [var.idle_timeout_s]
}
