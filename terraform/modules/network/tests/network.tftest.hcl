mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name          = "ocr-test"
  allowed_cidrs = ["203.0.113.0/24", "198.51.100.7/32"]
  kms_key_arn   = "arn:aws:kms:ap-northeast-2:123456789012:key/test"
}

run "ports" {
  module {
    source = "../ports"
  }
}

run "single_nat" {
  variables {
    ports = run.ports.ports
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 2
    error_message = "Both zones leave by one NAT gateway."
  }

  assert {
    condition     = alltrue([for subnet in merge(aws_subnet.public, aws_subnet.private) : !subnet.map_public_ip_on_launch])
    error_message = "No subnet gives out public addresses."
  }

  assert {
    condition = length(distinct([
      for subnet in concat(values(aws_subnet.public), values(aws_subnet.private)) : subnet.cidr_block
    ])) == 4
    error_message = "Subnets do not overlap."
  }

  assert {
    condition = alltrue([
      for rule in merge(aws_vpc_security_group_ingress_rule.https, aws_vpc_security_group_ingress_rule.http) :
      contains(var.allowed_cidrs, rule.cidr_ipv4) && contains([80, 443], rule.from_port)
    ])
    error_message = "Only the allowed ranges get in, by 443 and 80."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.link : rule.cidr_ipv4 == null])
    error_message = "Between parts, groups are named, never addresses."
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow.kms_key_id == var.kms_key_arn
    error_message = "All traffic is logged, encrypted."
  }
}

run "nat_in_each_zone" {
  variables {
    ports = run.ports.ports
    nat   = "per_az"
    zones = ["a", "b", "c"]
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "Each zone has a NAT gateway."
  }

  assert {
    condition     = length(distinct([for route in aws_route.nat : route.nat_gateway_id])) == 3
    error_message = "Each zone leaves by its own."
  }
}

run "nobody_allowed" {
  command = plan

  variables {
    ports         = run.ports.ports
    allowed_cidrs = []
  }

  expect_failures = [var.allowed_cidrs]
}

run "one_zone" {
  command = plan

  variables {
    ports = run.ports.ports
    zones = ["a", "a"]
  }

  expect_failures = [var.zones]
}

run "bad_range" {
  command = plan

  variables {
    ports    = run.ports.ports
    vpc_cidr = "10.0.0.0/24"
  }

  expect_failures = [var.vpc_cidr]
}
