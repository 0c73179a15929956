data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsPublish"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms.arn
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

locals {
  balancer = { LoadBalancer = var.alb_arn_suffix }
  targets  = { LoadBalancer = var.alb_arn_suffix, TargetGroup = var.target_group_arn_suffix }
  workers  = { ClusterName = var.cluster_name, ServiceName = var.worker_service_name }
  head     = { ClusterName = var.cluster_name, ServiceName = var.head_service_name }
  cluster  = { Cluster = var.name }

  # One metric, one threshold. `missing` says what no data means: a dead reporter must not look like health.
  alarms = {
    p95-response-time = {
      text      = "95 % of the answers take longer than they should"
      namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", statistic = "p95", dimensions = local.balancer
      operator  = "GreaterThanThreshold", threshold = var.p95_limit_s, periods = 5, missing = "notBreaching"
    }
    target-5xx = {
      text      = "The service answers with errors of its own"
      namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum", dimensions = local.balancer
      operator  = "GreaterThanThreshold", threshold = 10, periods = 3, missing = "notBreaching"
    }
    balancer-5xx = {
      text      = "The load balancer finds nobody who answers"
      namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum", dimensions = local.balancer
      operator  = "GreaterThanThreshold", threshold = 10, periods = 3, missing = "notBreaching"
    }
    healthy-hosts = {
      text      = "No worker takes requests"
      namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", statistic = "Minimum", dimensions = local.targets
      operator  = "LessThanThreshold", threshold = 1, periods = 2, missing = "breaching"
    }
    head-down = {
      text      = "The Ray head does not run; what is deployed goes on, nothing heals or scales"
      namespace = "ECS/ContainerInsights", metric = "RunningTaskCount", statistic = "Minimum", dimensions = local.head
      operator  = "LessThanThreshold", threshold = 1, periods = 5, missing = "breaching"
    }
    queue-depth = {
      text      = "Calls wait inside the graph"
      namespace = "OcrServe", metric = "QueuedCalls", statistic = "Maximum", dimensions = local.cluster
      operator  = "GreaterThanThreshold", threshold = var.queue_limit, periods = 5, missing = "breaching"
    }
    admission-wait = {
      text      = "A document that comes now waits for more than 15 seconds"
      namespace = "OcrServe", metric = "AdmissionWaitS", statistic = "Maximum", dimensions = local.cluster
      operator  = "GreaterThanThreshold", threshold = 15, periods = 5, missing = "notBreaching"
    }
    documents-refused = {
      text      = "Documents are refused: there is more work than the graph can do"
      namespace = "OcrServe", metric = "DocumentsRefused", statistic = "Sum", dimensions = local.cluster
      operator  = "GreaterThanThreshold", threshold = var.refusals_limit, periods = 5, missing = "notBreaching"
    }
    service-errors = {
      text      = "Requests fail by the service's own fault"
      namespace = "OcrServe", metric = "ServiceErrors", statistic = "Sum", dimensions = local.cluster
      operator  = "GreaterThanThreshold", threshold = 10, periods = 3, missing = "notBreaching"
    }
    limits-unchecked = {
      text      = "Limits of callers are not enforced, the counters do not answer"
      namespace = "OcrServe", metric = "RequestsUnchecked", statistic = "Sum", dimensions = local.cluster
      operator  = "GreaterThanThreshold", threshold = 0, periods = 1, missing = "notBreaching"
    }
    silent-nodes = {
      text      = "A node does not give its metrics"
      namespace = "OcrServe", metric = "SilentNodes", statistic = "Minimum", dimensions = local.cluster
      operator  = "GreaterThanThreshold", threshold = 0, periods = 3, missing = "breaching"
    }
    missing-replicas = {
      text      = "Serve wants replicas that do not start, for half an hour"
      namespace = "OcrServe", metric = "MissingReplicas", statistic = "Minimum", dimensions = local.cluster
      operator  = "GreaterThanThreshold", threshold = 0, periods = 30, missing = "breaching"
    }
    capacity-at-maximum = {
      text      = "As many workers are asked for as are allowed: max_workers bounds the service"
      namespace = "ECS/ContainerInsights", metric = "DesiredTaskCount", statistic = "Minimum", dimensions = local.workers
      operator  = "GreaterThanOrEqualToThreshold", threshold = var.max_workers, periods = 15, missing = "notBreaching"
    }
    valkey-memory = {
      text       = "The head's store fills up"
      namespace  = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", statistic = "Maximum"
      dimensions = { CacheClusterId = "${var.valkey_id}-001" }
      operator   = "GreaterThanThreshold", threshold = 80, periods = 5, missing = "notBreaching"
    }
    postgres-disk = {
      text       = "The jobs' database has less than 5 GB left"
      namespace  = "AWS/RDS", metric = "FreeStorageSpace", statistic = "Minimum"
      dimensions = { DBInstanceIdentifier = var.postgres_id }
      operator   = "LessThanThreshold", threshold = 5000000000, periods = 5, missing = "notBreaching"
    }
  }

  # Pools of GPU instances under the names that they have in metric expressions.
  pools = { for index, name in var.gpu_asg_names : "pool${index}" => name }
  used  = join(", ", [for id in sort(keys(local.pools)) : "FILL(used_${id}, 0)"])
}

resource "aws_cloudwatch_metric_alarm" "simple" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  period              = 60
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

locals {
  gpu_alarms = {
    gpu-utilisation = {
      text   = "GPUs are busy without a pause: requests wait for them"
      metric = "nvidia_smi_utilization_gpu", threshold = 95, periods = 15
    }
    gpu-memory = {
      text   = "GPU memory is nearly used up (MiB of the 15,360 of a T4)"
      metric = "nvidia_smi_memory_used", threshold = 14500, periods = 5
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "gpu" {
  for_each = {
    for pair in setproduct(keys(local.gpu_alarms), keys(local.pools)) :
    "${pair[0]}-${pair[1]}" => merge(local.gpu_alarms[pair[0]], { group = local.pools[pair[1]] })
  }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = "CWAgent"
  metric_name         = each.value.metric
  dimensions          = { AutoScalingGroupName = each.value.group }
  statistic           = each.value.metric == "nvidia_smi_memory_used" ? "Maximum" : "Average"
  period              = 60
  evaluation_periods  = each.value.periods
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  # A pool may be empty.
  treat_missing_data = "notBreaching"
  alarm_actions      = [aws_sns_topic.alarms.arn]
  ok_actions         = [aws_sns_topic.alarms.arn]
}

# Money for GPUs that do nothing: workers above the minimum, while no GPU is busier than 5 %, times their price.
resource "aws_cloudwatch_metric_alarm" "idle_gpu_cost" {
  alarm_name          = "${var.name}-idle-gpu-cost"
  alarm_description   = "GPU instances above the minimum idle for an hour (US dollars an hour)"
  evaluation_periods  = 12
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "cost"
    label       = "US dollars an hour for idle GPUs"
    expression  = "IF(MAX([${local.used}]) < 5 AND running > ${var.min_workers}, (running - ${var.min_workers}) * ${var.gpu_hourly_usd}, 0)"
    return_data = true
  }

  metric_query {
    id = "running"

    metric {
      namespace   = "ECS/ContainerInsights"
      metric_name = "RunningTaskCount"
      dimensions  = local.workers
      period      = 300
      stat        = "Average"
    }
  }

  dynamic "metric_query" {
    for_each = local.pools

    content {
      id = "used_${metric_query.key}"

      metric {
        namespace   = "CWAgent"
        metric_name = "nvidia_smi_utilization_gpu"
        dimensions  = { AutoScalingGroupName = metric_query.value }
        period      = 300
        stat        = "Average"
      }
    }
  }
}
