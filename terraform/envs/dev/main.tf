module "stack" {
  source = "../../modules/stack"

  name = "${var.project_name}-dev"

  ecr_image          = var.ecr_image
  image_tag          = var.image_tag
  vpc_cidr           = var.vpc_cidr
  zones              = var.zones
  allowed_cidrs      = var.allowed_cidrs
  is_internal        = var.is_internal
  domain_name        = var.domain_name
  zone_id            = var.zone_id
  certificate_arn    = var.certificate_arn
  web_acl_arn        = var.web_acl_arn
  head_instance_type = var.head_instance_type
  gpu_instance_types = var.gpu_instance_types
  min_workers        = var.min_workers
  max_workers        = var.max_workers
  spot_percent       = var.spot_percent
  auth_mode          = var.auth_mode
  callback_urls      = var.callback_urls
  allowed_origins    = var.allowed_origins
  environment        = var.environment
  job_days           = var.job_days
  alarm_email        = var.alarm_email
  p95_limit_s        = var.p95_limit_s
  queue_limit        = var.queue_limit
  gpu_hourly_usd     = var.gpu_hourly_usd
  github_repository  = var.github_repository
  github_environment = "dev"

  # Small and cheap, and gone without a trace when it is destroyed.
  nat                     = "single"
  interface_endpoints     = []
  is_highly_available     = false
  deletion_protection     = false
  postgres_instance_class = "db.t4g.micro"
  valkey_node_type        = "cache.t4g.micro"
  log_retention_days      = 30
}
