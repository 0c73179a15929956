# What AWS would answer, for tests without AWS.
mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_region" {
  defaults = { region = "ap-northeast-2" }
}

mock_data "aws_ssm_parameter" {
  defaults = { value = "ami-0123456789abcdef0" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:ap-northeast-2:123456789012:key/00000000-0000-0000-0000-000000000000" }
}

mock_resource "aws_ecr_repository" {
  defaults = {
    arn            = "arn:aws:ecr:ap-northeast-2:123456789012:repository/ocr"
    repository_url = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/ocr"
  }
}

mock_resource "aws_secretsmanager_secret_version" {
  defaults = { arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:ocr/secret-AbCdEf" }
}

mock_resource "aws_db_instance" {
  defaults = {
    address = "jobs.rds.amazonaws.com"
    master_user_secret = [{
      kms_key_id    = "key"
      secret_arn    = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:rds-AbCdEf"
      secret_status = "active"
    }]
  }
}

mock_resource "aws_elasticache_replication_group" {
  defaults = { primary_endpoint_address = "master.ocr.apn2.cache.amazonaws.com" }
}

mock_resource "aws_lb" {
  defaults = {
    arn_suffix = "app/ocr/0123456789abcdef"
    dns_name   = "ocr-1234567890.ap-northeast-2.elb.amazonaws.com"
  }
}

mock_resource "aws_lb_target_group" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/ocr-serve/0123456789abcdef"
    arn_suffix = "targetgroup/ocr-serve/0123456789abcdef"
  }
}

mock_resource "aws_acm_certificate" {
  defaults = {
    arn = "arn:aws:acm:ap-northeast-2:123456789012:certificate/00000000-0000-0000-0000-000000000000"
    domain_validation_options = [{
      domain_name           = "ocr.example.com"
      resource_record_name  = "_x.ocr.example.com"
      resource_record_type  = "CNAME"
      resource_record_value = "_y.acm-validations.aws"
    }]
  }
}
