resource "aws_lb" "this" {
  #checkov:skip=CKV2_AWS_76:Nothing here runs Java; web_acl_arn takes a web ACL of the operator's own
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = var.is_internal
  subnets                    = var.subnets
  security_groups            = [var.security_group]
  idle_timeout               = var.idle_timeout_s
  enable_deletion_protection = var.deletion_protection
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "strictest"

  access_logs {
    bucket  = aws_s3_bucket.logs.bucket
    enabled = true
  }

  depends_on = [aws_s3_bucket_policy.logs]
}

resource "aws_lb_target_group" "serve" {
  name        = "${var.name}-serve"
  vpc_id      = var.vpc_id
  target_type = "ip"
  protocol    = "HTTP"
  port        = var.serve_port
  # Documents differ a thousandfold in cost: the fewest open requests say more than whose turn it is.
  load_balancing_algorithm_type = "least_outstanding_requests"
  # A worker drains for 90 seconds of its own before it goes.
  deregistration_delay = 60

  # The proxy's own health: it fails while its node drains, and on a node without replicas.
  health_check {
    path                = "/-/healthz"
    port                = "traffic-port"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = local.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.serve.arn
  }

  lifecycle {
    precondition {
      condition     = var.certificate_arn != null || (var.domain_name != null && var.zone_id != null)
      error_message = "Give certificate_arn, or domain_name with zone_id to have a certificate made."
    }
  }
}

resource "aws_lb_listener" "redirect" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

# Serve's own routes say which applications there are; only the balancer itself needs them.
resource "aws_lb_listener_rule" "own_routes" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 10

  action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "Not found"
      status_code  = "404"
    }
  }

  condition {
    path_pattern {
      values = ["/-/*", "/metrics"]
    }
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count = var.web_acl_arn == null ? 0 : 1

  resource_arn = aws_lb.this.arn
  web_acl_arn  = var.web_acl_arn
}
