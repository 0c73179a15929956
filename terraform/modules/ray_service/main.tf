data "aws_region" "current" {}

locals {
  head_name = "head"
  namespace = "${var.name}.internal"

  log_options = {
    for part in ["head", "worker"] : part => {
      awslogs-group         = aws_cloudwatch_log_group.this[part].name
      awslogs-region        = data.aws_region.current.region
      awslogs-stream-prefix = part
      # The head prints its figures as metrics that CloudWatch reads out of the log.
      awslogs-format = "json/emf"
    }
  }

  environment = {
    for part in ["head", "worker"] : part => merge(
      { for name, port in var.ports : name => tostring(port) },
      {
        RAY_AUTH_MODE                          = "token"
        RAY_USAGE_STATS_ENABLED                = "0"
        RAY_SERVE_ENABLE_HA_PROXY              = "1"
        RAY_SERVE_FALLBACK_PROXY_HTTP_PORT     = tostring(var.ports.PORT_SERVE_FALLBACK)
        RAY_SERVE_HAPROXY_STATS_PORT           = tostring(var.ports.PORT_HAPROXY_STATS)
        RAY_SERVE_HAPROXY_METRICS_PORT         = tostring(var.ports.PORT_HAPROXY_METRICS)
        RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT = tostring(var.ports.PORT_REPLICA_MIN)
        RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT = tostring(var.ports.PORT_REPLICA_MAX)
        # Workers wait so long for a head that is started anew.
        RAY_gcs_rpc_server_reconnect_timeout_s = "600"
      },
      part == "head" ? var.head_environment : var.worker_environment,
      part == "head" ? {
        OCR_CLUSTER_NAME = var.name
        OCR_WORKER_CPUS  = tostring(var.worker_cpus)
        OCR_WORKER_GPUS  = "1"
        } : {
        RAY_HEAD_HOST = "${local.head_name}.${local.namespace}"
        OCR_NODE_CPUS = tostring(var.worker_cpus)
        OCR_NODE_GPUS = "1"
        OCR_DRAIN_S   = tostring(var.drain_s)
      },
    )
  }

  secrets = { head = var.head_secrets, worker = var.worker_secrets }

  # What the two task definitions share. The lists are sorted, so that a plan shows only what changed.
  container = {
    for part in ["head", "worker"] : part => {
      name             = part
      image            = var.ecr_image
      essential        = true
      entryPoint       = ["/srv/ocr/cluster/entrypoint-${part}.sh"]
      command          = []
      environment      = [for name in sort(keys(local.environment[part])) : { name = name, value = local.environment[part][name] }]
      secrets          = [for name in sort(keys(local.secrets[part])) : { name = name, valueFrom = local.secrets[part][name] }]
      ulimits          = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
      stopTimeout      = 120
      user             = "10001"
      privileged       = false
      linuxParameters  = { sharedMemorySize = var.shared_memory_mib[part], initProcessEnabled = true }
      logConfiguration = { logDriver = "awslogs", options = local.log_options[part] }
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["head", "worker"])

  name              = "/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# The head's name: workers ask for it again when they lost the head.
resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = local.namespace
  description = "Names inside ${var.name}"
  vpc         = var.vpc_id
}

resource "aws_service_discovery_service" "head" {
  name = local.head_name

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this.id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = 10
    }
  }

  health_check_custom_config {}
}
