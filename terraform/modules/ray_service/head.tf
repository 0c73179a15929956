# The head schedules and keeps the cluster's book; it runs no replicas, so 0 CPUs and no GPU for Ray.
resource "aws_ecs_task_definition" "head" {
  family                   = "${var.name}-head"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = var.head_cpu
  memory                   = var.head_memory_mib
  execution_role_arn       = var.execution_role_arns["head"]
  task_role_arn            = var.task_role_arns["head"]

  container_definitions = jsonencode([merge(local.container["head"], {
    # The dashboard listens on the loopback interface and is no port of the task.
    portMappings = [
      for port in [var.ports.PORT_GCS, var.ports.PORT_SERVE_FALLBACK] : { containerPort = port, hostPort = port, protocol = "tcp" }
    ]
    healthCheck = {
      command     = ["CMD", "/srv/ocr/cluster/check-health.sh", "head"]
      interval    = 15
      timeout     = 10
      retries     = 4
      startPeriod = 120
    }
  })])
}

resource "aws_ecs_service" "head" {
  name                   = "head"
  cluster                = var.cluster_name
  task_definition        = aws_ecs_task_definition.head.arn
  desired_count          = 1
  enable_execute_command = true
  propagate_tags         = "SERVICE"

  # Two heads would write one book: the old one ends before the new one starts. Workers and replicas go on meanwhile,
  # because the book is in Valkey and workers wait.
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  capacity_provider_strategy {
    capacity_provider = var.capacity_providers["head"]
    base              = 1
    weight            = 1
  }

  network_configuration {
    subnets          = var.private_subnets
    security_groups  = [var.security_groups["nodes"], var.security_groups["head"]]
    assign_public_ip = false
  }

  service_registries {
    registry_arn = aws_service_discovery_service.head.arn
  }
}
