# The whole stack: which module gets what from which. An environment (envs/*) chooses sizes and names.

locals {
  image     = var.ecr_image != null ? var.ecr_image : "${module.ecr.repository_url}:${var.image_tag}"
  ray_token = module.data.secret_arns["ray-token"]
  has_users = var.auth_mode != "api-key"

  head_secrets = {
    RAY_AUTH_TOKEN     = local.ray_token
    RAY_REDIS_PASSWORD = module.data.secret_arns["valkey-auth"]
  }

  worker_secrets = {
    RAY_AUTH_TOKEN = local.ray_token
    API_KEY        = module.data.secret_arns["api-key"]
    # The names that PostgreSQL's own client library reads.
    PGUSER     = "${module.data.postgres_secret_arn}:username::"
    PGPASSWORD = "${module.data.postgres_secret_arn}:password::"
  }

  cognito_environment = {
    for auth in module.auth[*] : "cognito" => {
      COGNITO_ISSUER   = auth.issuer
      COGNITO_AUDIENCE = auth.client_id
    }
  }

  worker_environment = merge(
    {
      AUTH_MODE       = var.auth_mode
      ALLOWED_ORIGINS = join(",", var.allowed_origins)
      OCR_MODELS_S3   = "s3://${module.data.bucket_names["models"]}/models"
      OCR_JOBS_S3     = "s3://${module.data.bucket_names["jobs"]}/jobs"
      PGHOST          = module.data.postgres.host
      PGPORT          = module.data.postgres.port
      PGDATABASE      = module.data.postgres.name
      PGSSLMODE       = "require"
    },
    lookup(local.cognito_environment, "cognito", {}),
    var.environment,
  )
}

module "ports" {
  source = "../ports"
}

module "kms" {
  source = "../kms"

  name = var.name
}

module "network" {
  source = "../network"

  name                = var.name
  vpc_cidr            = var.vpc_cidr
  zones               = var.zones
  nat                 = var.nat
  interface_endpoints = var.interface_endpoints
  allowed_cidrs       = var.allowed_cidrs
  ports               = module.ports.ports
  kms_key_arn         = module.kms.key_arn
  log_retention_days  = var.log_retention_days
}

module "ecr" {
  source = "../ecr"

  name                = var.name
  kms_key_arn         = module.kms.key_arn
  deletion_protection = var.deletion_protection
}

module "data" {
  source = "../data"

  name                    = var.name
  private_subnets         = module.network.private_subnets
  security_groups         = module.network.security_groups
  ports                   = module.ports.ports
  kms_key_arn             = module.kms.key_arn
  is_highly_available     = var.is_highly_available
  deletion_protection     = var.deletion_protection
  postgres_instance_class = var.postgres_instance_class
  valkey_node_type        = var.valkey_node_type
  job_days                = var.job_days
}

module "iam" {
  source = "../iam"

  name               = var.name
  ecr_repository_arn = module.ecr.repository_arn
  kms_key_arn        = module.kms.key_arn
  head_secret_arns   = [local.ray_token, module.data.secret_arns["valkey-auth"]]
  worker_secret_arns = [local.ray_token, module.data.secret_arns["api-key"], module.data.postgres_secret_arn]
  jobs_bucket_arn    = module.data.bucket_arns["jobs"]
  models_bucket_arn  = module.data.bucket_arns["models"]
  github_repository  = var.github_repository

  github_environment   = var.github_environment
  ray_token_secret_arn = local.ray_token
}

module "ecs_cluster" {
  source = "../ecs_cluster"

  name                    = var.name
  private_subnets         = module.network.private_subnets
  instance_security_group = module.network.security_groups["instances"]
  instance_profile_arn    = module.iam.instance_profile_arn
  kms_key_arn             = module.kms.key_arn
  log_retention_days      = var.log_retention_days
  head_instance_type      = var.head_instance_type
  gpu_instance_types      = var.gpu_instance_types
  max_workers             = var.max_workers
  deletion_protection     = var.deletion_protection
}

module "alb" {
  source = "../alb"

  name                = var.name
  vpc_id              = module.network.vpc_id
  subnets             = var.is_internal ? module.network.private_subnets : module.network.public_subnets
  security_group      = module.network.security_groups["alb"]
  is_internal         = var.is_internal
  certificate_arn     = var.certificate_arn
  domain_name         = var.domain_name
  zone_id             = var.zone_id
  serve_port          = module.ports.ports.PORT_SERVE_HTTP
  deletion_protection = var.deletion_protection
  web_acl_arn         = var.web_acl_arn
}

module "auth" {
  source = "../auth"
  count  = local.has_users ? 1 : 0

  name                = var.name
  callback_urls       = var.callback_urls
  deletion_protection = var.deletion_protection
}

module "ray_service" {
  source = "../ray_service"

  name                = var.name
  cluster_name        = module.ecs_cluster.cluster_name
  capacity_providers  = module.ecs_cluster.capacity_providers
  vpc_id              = module.network.vpc_id
  private_subnets     = module.network.private_subnets
  security_groups     = module.network.security_groups
  execution_role_arns = module.iam.execution_role_arns
  task_role_arns      = module.iam.task_role_arns
  target_group_arn    = module.alb.target_group_arn
  kms_key_arn         = module.kms.key_arn
  ecr_image           = local.image
  ports               = module.ports.ports
  head_environment = {
    RAY_REDIS_ADDRESS              = module.data.redis_address
    RAY_external_storage_namespace = var.name
  }
  worker_environment = local.worker_environment
  head_secrets       = local.head_secrets
  worker_secrets     = local.worker_secrets
  min_workers        = var.min_workers
  max_workers        = var.max_workers
  spot_percent       = var.spot_percent
  log_retention_days = var.log_retention_days
}

module "observability" {
  source = "../observability"

  name                    = var.name
  kms_key_arn             = module.kms.key_arn
  alarm_email             = var.alarm_email
  alb_arn_suffix          = module.alb.arn_suffix
  target_group_arn_suffix = module.alb.target_group_arn_suffix
  cluster_name            = module.ecs_cluster.cluster_name
  worker_service_name     = module.ray_service.worker_service_name
  head_service_name       = module.ray_service.head_service_name
  gpu_asg_names           = [module.ecs_cluster.asg_names["gpu"], module.ecs_cluster.asg_names["gpu-spot"]]
  valkey_id               = module.data.valkey_id
  postgres_id             = module.data.postgres_id
  min_workers             = var.min_workers
  max_workers             = var.max_workers
  p95_limit_s             = var.p95_limit_s
  queue_limit             = var.queue_limit
  gpu_hourly_usd          = var.gpu_hourly_usd
}
