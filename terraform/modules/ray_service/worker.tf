resource "aws_ecs_task_definition" "worker" {
  family                   = "${var.name}-worker"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  memory                   = var.worker_memory_mib
  execution_role_arn       = var.execution_role_arns["worker"]
  task_role_arn            = var.task_role_arns["worker"]

  container_definitions = jsonencode([merge(local.container["worker"], {
    # The GPU is what makes it one worker an instance; cores are shared with nobody who needs them.
    resourceRequirements = [{ type = "GPU", value = "1" }]
    portMappings = [
      for port in concat(
        [var.ports.PORT_SERVE_HTTP, var.ports.PORT_NODE_MANAGER, var.ports.PORT_OBJECT_MANAGER],
        [var.ports.PORT_AGENT_GRPC, var.ports.PORT_AGENT_HTTP, var.ports.PORT_METRICS],
      ) : { containerPort = port, hostPort = port, protocol = "tcp" }
    ]
  })])
}

resource "aws_ecs_service" "worker" {
  name                          = "worker"
  cluster                       = var.cluster_name
  task_definition               = aws_ecs_task_definition.worker.arn
  desired_count                 = var.min_workers
  enable_execute_command        = true
  propagate_tags                = "SERVICE"
  availability_zone_rebalancing = "DISABLED"

  # The trap: a node on which no replica happens to live fails the load balancer's check, and ECS would replace it, and
  # its successor, for ever. So the balancer's verdict only routes: the grace period, the longest that ECS takes, keeps
  # it from killing. What is really broken ends itself: the entry point exits when the raylet dies or hangs.
  health_check_grace_period_seconds = 2147483647

  # A rollout needs no GPU that is not there: old workers make room first. A single worker has to.
  deployment_minimum_healthy_percent = var.min_workers > 1 ? 50 : 0
  deployment_maximum_percent         = 100

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  capacity_provider_strategy {
    capacity_provider = var.capacity_providers["gpu"]
    base              = var.min_workers
    weight            = 100 - var.spot_percent
  }

  dynamic "capacity_provider_strategy" {
    for_each = var.spot_percent > 0 ? [var.spot_percent] : []

    content {
      capacity_provider = var.capacity_providers["gpu-spot"]
      weight            = capacity_provider_strategy.value
    }
  }

  placement_constraints {
    type = "distinctInstance"
  }

  network_configuration {
    subnets          = var.private_subnets
    security_groups  = [var.security_groups["nodes"], var.security_groups["workers"]]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = var.target_group_arn
    container_name   = "worker"
    container_port   = var.ports.PORT_SERVE_HTTP
  }

  lifecycle {
    # Scaling owns the count.
    ignore_changes = [desired_count]
  }
}
