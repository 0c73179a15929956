mock_provider "aws" {
  source = "../../mocks"
}

variables {
  image_tag         = "1.0.0"
  allowed_cidrs     = ["203.0.113.0/24"]
  domain_name       = "ocr.example.com"
  zone_id           = "Z0123456789"
  auth_mode         = "both"
  alarm_email       = "operator@example.com"
  callback_urls     = ["https://app.example.com/callback"]
  github_repository = "example/ocr"
  spot_percent      = 50
}

run "stack" {
  command = apply

  assert {
    condition     = output.url == "https://ocr.example.com"
    error_message = "The service answers at its own name."
  }

  assert {
    condition     = length(output.private_subnets) == 2 && length(output.public_subnets) == 2
    error_message = "The stack spreads over two zones."
  }

  assert {
    condition = alltrue([
      for value in [output.vpc_id, output.ecr_repository_url, output.ecs_cluster_name, output.asg_gpu_name, output.alb_dns_name] :
      length(value) > 0
    ])
    error_message = "Every output that operators build on has a value."
  }
}
