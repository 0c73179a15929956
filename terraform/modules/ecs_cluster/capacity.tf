data "aws_ssm_parameter" "ami" {
  for_each = toset(["head", "gpu"])

  name = join("/", compact([
    "/aws/service/ecs/optimized-ami/amazon-linux-2023",
    each.key == "gpu" ? "gpu" : "",
    "recommended/image_id",
  ]))
}

locals {
  # Spot instances are a provider of their own, so that a service can say which share of its tasks goes there.
  pools = {
    head     = { image = "head", types = [var.head_instance_type], max = 2, spot = false, disk_gib = 50 }
    gpu      = { image = "gpu", types = var.gpu_instance_types, max = var.max_workers, spot = false, disk_gib = var.gpu_disk_gib }
    gpu-spot = { image = "gpu", types = var.gpu_instance_types, max = var.max_workers, spot = true, disk_gib = var.gpu_disk_gib }
  }
}

resource "aws_launch_template" "this" {
  for_each = local.pools

  name                   = "${var.name}-${each.key}"
  image_id               = data.aws_ssm_parameter.ami[each.value.image].value
  instance_type          = each.value.types[0]
  update_default_version = true

  user_data = base64encode(templatefile("${path.module}/user_data.sh.tftpl", {
    cluster         = aws_ecs_cluster.this.name
    has_gpu         = each.value.image == "gpu"
    agent_parameter = aws_ssm_parameter.agent.name
  }))

  iam_instance_profile {
    arn = var.instance_profile_arn
  }

  # One hop: a container cannot ask the metadata service for the instance's credentials.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  network_interfaces {
    associate_public_ip_address = false
    security_groups             = [var.instance_security_group]
  }

  # The account's own key for volumes: the service that starts instances may use it without a grant.
  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = each.value.disk_gib
      encrypted             = true
      delete_on_termination = true
    }
  }

  monitoring {
    enabled = true
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = "${var.name}-${each.key}" }
  }
}

resource "aws_autoscaling_group" "this" {
  for_each = local.pools

  name                = "${var.name}-${each.key}"
  vpc_zone_identifier = var.private_subnets
  min_size            = 0
  max_size            = each.value.max
  enabled_metrics     = ["GroupDesiredCapacity", "GroupInServiceInstances", "GroupMaxSize"]

  # ECS alone says when an instance may go: when no task is on it.
  protect_from_scale_in = true

  # Protected instances would hold up the end of a stack for ever.
  force_delete = !var.deletion_protection

  mixed_instances_policy {
    instances_distribution {
      on_demand_base_capacity                  = 0
      on_demand_percentage_above_base_capacity = each.value.spot ? 0 : 100
      on_demand_allocation_strategy            = "prioritized"
      spot_allocation_strategy                 = "capacity-optimized-prioritized"
    }

    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.this[each.key].id
        version            = aws_launch_template.this[each.key].latest_version
      }

      dynamic "override" {
        for_each = each.value.types

        content {
          instance_type = override.value
        }
      }
    }
  }

  tag {
    key                 = "Name"
    value               = "${var.name}-${each.key}"
    propagate_at_launch = true
  }

  # ECS marks the groups of its capacity providers with this tag.
  tag {
    key                 = "AmazonECSManaged"
    value               = ""
    propagate_at_launch = true
  }

  lifecycle {
    ignore_changes = [desired_capacity]
  }
}

resource "aws_ecs_capacity_provider" "this" {
  for_each = local.pools

  name = "${var.name}-${each.key}"

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.this[each.key].arn
    managed_draining               = "ENABLED"
    managed_termination_protection = "ENABLED"

    managed_scaling {
      status                    = "ENABLED"
      target_capacity           = 100
      minimum_scaling_step_size = 1
      maximum_scaling_step_size = 10
      # A g4dn boots, joins the cluster and pulls the image for minutes: it is not missing meanwhile.
      instance_warmup_period = each.value.image == "gpu" ? 300 : 120
    }
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = [for pool in sort(keys(local.pools)) : aws_ecs_capacity_provider.this[pool].name]

  default_capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.this["head"].name
    weight            = 1
  }
}
