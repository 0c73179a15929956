mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                = "ocr-test"
  cluster_name        = "ocr-test"
  capacity_providers  = { head = "ocr-head", gpu = "ocr-gpu", gpu-spot = "ocr-gpu-spot" }
  vpc_id              = "vpc-1"
  private_subnets     = ["subnet-a", "subnet-b"]
  security_groups     = { nodes = "sg-nodes", head = "sg-head", workers = "sg-workers" }
  execution_role_arns = { head = "arn:head-execution", worker = "arn:worker-execution" }
  task_role_arns      = { head = "arn:head-task", worker = "arn:worker-task" }
  target_group_arn    = "arn:target-group"
  kms_key_arn         = "arn:aws:kms:ap-northeast-2:123456789012:key/test"
  ecr_image           = "example.com/ocr:1"
  head_secrets        = { RAY_AUTH_TOKEN = "arn:token" }
  worker_secrets      = { RAY_AUTH_TOKEN = "arn:token", API_KEY = "arn:key" }
  min_workers         = 2
  max_workers         = 6
  spot_percent        = 40
}

run "ports" {
  module {
    source = "../ports"
  }
}

run "services" {
  variables {
    ports = run.ports.ports
  }

  assert {
    condition = jsondecode(aws_ecs_task_definition.worker.container_definitions)[0].resourceRequirements == [
      { type = "GPU", value = "1" },
    ]
    error_message = "A worker takes the GPU of its instance."
  }

  assert {
    condition     = !can(jsondecode(aws_ecs_task_definition.head.container_definitions)[0].resourceRequirements)
    error_message = "The head takes no GPU."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.worker.container_definitions)[0].linuxParameters.sharedMemorySize >= 2048
    error_message = "Workers have shared memory for pages."
  }

  assert {
    condition = alltrue([
      for task in [aws_ecs_task_definition.head, aws_ecs_task_definition.worker] :
      jsondecode(task.container_definitions)[0].stopTimeout == 120
      && jsondecode(task.container_definitions)[0].ulimits == [{ hardLimit = 65536, name = "nofile", softLimit = 65536 }]
      && jsondecode(task.container_definitions)[0].user != "root"
      && task.network_mode == "awsvpc"
    ])
    error_message = "Nodes have time to stop, enough files, no root and interfaces of their own."
  }

  # The healthy-replica trap: ECS must never kill a worker because the balancer finds no replica on it.
  assert {
    condition     = aws_ecs_service.worker.health_check_grace_period_seconds == 2147483647
    error_message = "The balancer's verdict routes, it does not kill."
  }

  assert {
    condition     = !can(jsondecode(aws_ecs_task_definition.worker.container_definitions)[0].healthCheck)
    error_message = "The grace period would hide a container health check: the entry point looks after the raylet."
  }

  assert {
    condition     = aws_ecs_service.worker.placement_constraints == toset([{ expression = null, type = "distinctInstance" }]) || one(aws_ecs_service.worker.placement_constraints[*].type) == "distinctInstance"
    error_message = "One worker an instance."
  }

  assert {
    condition = {
      for strategy in aws_ecs_service.worker.capacity_provider_strategy : strategy.capacity_provider => strategy.weight
    } == { ocr-gpu = 60, ocr-gpu-spot = 40 }
    error_message = "Spot has its share."
  }

  assert {
    condition = {
      for strategy in aws_ecs_service.head.capacity_provider_strategy : strategy.capacity_provider => strategy.weight
    } == { ocr-head = 1 }
    error_message = "The head is on demand, without a GPU."
  }

  assert {
    condition     = aws_ecs_service.head.deployment_maximum_percent == 100 && aws_ecs_service.head.desired_count == 1
    error_message = "There are never two heads."
  }

  assert {
    condition     = aws_service_discovery_service.head.dns_config[0].dns_records[0].ttl == 10
    error_message = "A new head is found within seconds."
  }

  assert {
    condition = alltrue([
      for service in [aws_ecs_service.head, aws_ecs_service.worker] :
      !service.network_configuration[0].assign_public_ip && service.enable_execute_command
    ])
    error_message = "Nodes are reached by sessions, not by addresses."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == var.kms_key_arn])
    error_message = "Logs are encrypted."
  }

  assert {
    condition     = aws_appautoscaling_target.workers.min_capacity == 2 && aws_appautoscaling_target.workers.max_capacity == 6
    error_message = "Scaling keeps within its bounds."
  }

  assert {
    condition = contains([
      for metric in aws_appautoscaling_policy.workers.target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics :
      try(metric.metric_stat[0].metric[0].metric_name, "")
    ], "WantedWorkers")
    error_message = "Scaling follows what Serve wants."
  }
}

run "single_worker_makes_room" {
  variables {
    ports       = run.ports.ports
    min_workers = 1
  }

  assert {
    condition     = aws_ecs_service.worker.deployment_minimum_healthy_percent == 0
    error_message = "A single worker could not be replaced."
  }
}

run "too_long_a_drain" {
  command = plan

  variables {
    ports   = run.ports.ports
    drain_s = 200
  }

  expect_failures = [var.drain_s]
}
