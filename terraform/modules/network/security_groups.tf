# All security groups stand here, so that who may reach whom can be read in one place.
locals {
  parts = {
    alb       = "The load balancer"
    nodes     = "What Ray's nodes have in common"
    head      = "The Ray head"
    workers   = "The Ray workers"
    instances = "The EC2 instances themselves; tasks have interfaces of their own"
    valkey    = "The store of the Ray head"
    postgres  = "The store of the jobs"
    endpoints = "AWS services inside the VPC"
  }

  # From every Ray node to every other.
  between_nodes = {
    node-manager   = [var.ports.PORT_NODE_MANAGER, var.ports.PORT_NODE_MANAGER]
    object-manager = [var.ports.PORT_OBJECT_MANAGER, var.ports.PORT_OBJECT_MANAGER]
    agent-grpc     = [var.ports.PORT_AGENT_GRPC, var.ports.PORT_AGENT_GRPC]
    agent-http     = [var.ports.PORT_AGENT_HTTP, var.ports.PORT_AGENT_HTTP]
    metrics        = [var.ports.PORT_METRICS, var.ports.PORT_METRICS]
    ray-workers    = [var.ports.PORT_WORKER_MIN, var.ports.PORT_WORKER_MAX]
    replicas       = [var.ports.PORT_REPLICA_MIN, var.ports.PORT_REPLICA_MAX]
  }

  # From a part to a part. What is not here does not pass.
  links = merge(
    {
      for name, range in local.between_nodes : "nodes-${name}" => { from = "nodes", to = "nodes", ports = range }
    },
    {
      workers-gcs     = { from = "workers", to = "head", ports = [var.ports.PORT_GCS, var.ports.PORT_GCS] }
      workers-proxy   = { from = "workers", to = "head", ports = [var.ports.PORT_SERVE_FALLBACK, var.ports.PORT_SERVE_FALLBACK] }
      alb-serve       = { from = "alb", to = "workers", ports = [var.ports.PORT_SERVE_HTTP, var.ports.PORT_SERVE_HTTP] }
      head-valkey     = { from = "head", to = "valkey", ports = [var.ports.PORT_VALKEY, var.ports.PORT_VALKEY] }
      worker-postgres = { from = "workers", to = "postgres", ports = [var.ports.PORT_POSTGRES, var.ports.PORT_POSTGRES] }
      nodes-aws       = { from = "nodes", to = "endpoints", ports = [443, 443] }
      instances-aws   = { from = "instances", to = "endpoints", ports = [443, 443] }
    },
  )
}

# The default group would let its members talk to each other: it stays empty.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:Other modules attach them
  for_each = local.parts

  name        = "${var.name}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "link" {
  for_each = local.links

  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  description                  = "${each.key} from ${each.value.from}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.ports[0]
  to_port                      = each.value.ports[1]
}

resource "aws_vpc_security_group_egress_rule" "link" {
  for_each = local.links

  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  description                  = "${each.key} to ${each.value.to}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.ports[0]
  to_port                      = each.value.ports[1]
}

# AWS services without an endpoint here, model hubs, key sets of the identity provider, callers' webhooks.
resource "aws_vpc_security_group_egress_rule" "https" {
  for_each = toset(["nodes", "instances"])

  security_group_id = aws_security_group.this[each.key].id
  description       = "HTTPS to the outside"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  for_each = var.allowed_cidrs

  security_group_id = aws_security_group.this["alb"].id
  description       = "HTTPS from the callers"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = each.key
}

resource "aws_vpc_security_group_ingress_rule" "http" {
  for_each = var.allowed_cidrs

  security_group_id = aws_security_group.this["alb"].id
  description       = "HTTP, only to be sent to HTTPS"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
  cidr_ipv4         = each.key
}
