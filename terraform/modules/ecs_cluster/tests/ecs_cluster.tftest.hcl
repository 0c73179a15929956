mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                    = "ocr-test"
  private_subnets         = ["subnet-a", "subnet-b"]
  instance_security_group = "sg-instances"
  instance_profile_arn    = "arn:aws:iam::123456789012:instance-profile/ocr"
  kms_key_arn             = "arn:aws:kms:ap-northeast-2:123456789012:key/test"
  gpu_instance_types      = ["g4dn.xlarge", "g4dn.2xlarge"]
  max_workers             = 7
}

run "capacity" {
  assert {
    condition = alltrue([
      for template in aws_launch_template.this :
      template.metadata_options[0].http_tokens == "required" && template.metadata_options[0].http_put_response_hop_limit == 1
    ])
    error_message = "The metadata service takes tokens, from the instance alone."
  }

  assert {
    condition     = alltrue([for template in aws_launch_template.this : template.block_device_mappings[0].ebs[0].encrypted == "true"])
    error_message = "Volumes are encrypted."
  }

  assert {
    condition = alltrue([
      for provider in aws_ecs_capacity_provider.this :
      provider.auto_scaling_group_provider[0].managed_draining == "ENABLED"
      && provider.auto_scaling_group_provider[0].managed_termination_protection == "ENABLED"
      && provider.auto_scaling_group_provider[0].managed_scaling[0].status == "ENABLED"
    ])
    error_message = "ECS scales, drains and protects every pool."
  }

  assert {
    condition     = alltrue([for group in aws_autoscaling_group.this : group.protect_from_scale_in])
    error_message = "Termination protection needs protected instances."
  }

  assert {
    condition = {
      for pool, group in aws_autoscaling_group.this :
      pool => group.mixed_instances_policy[0].instances_distribution[0].on_demand_percentage_above_base_capacity
    } == { head = 100, gpu = 100, gpu-spot = 0 }
    error_message = "Only the spot pool has spot instances; the head is never one."
  }

  assert {
    condition     = aws_autoscaling_group.this["gpu"].max_size == 7 && length(aws_autoscaling_group.this["gpu"].mixed_instances_policy[0].launch_template[0].override) == 2
    error_message = "GPU pools have the sizes and types that were asked for."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.this["gpu-spot"].user_data), "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true")
    error_message = "A spot instance drains when it is told to go."
  }
}

run "four_gpus" {
  command = plan

  variables {
    gpu_instance_types = ["g4dn.12xlarge"]
  }

  expect_failures = [var.gpu_instance_types]
}
