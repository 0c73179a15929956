locals {
  region = data.aws_region.current.region
  alb    = ["LoadBalancer", var.alb_arn_suffix]

  widgets = [
    {
      title = "Response time of the service (s)"
      metrics = [
        for statistic in ["p50", "p95", "p99"] :
        concat(["AWS/ApplicationELB", "TargetResponseTime"], local.alb, [{ stat = statistic, label = statistic }])
      ]
    },
    {
      title = "Requests and errors a minute"
      metrics = [
        for metric in ["RequestCount", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"] :
        concat(["AWS/ApplicationELB", metric], local.alb, [{ stat = "Sum" }])
      ]
    },
    {
      title = "Workers: wanted, asked for, running, taking requests"
      metrics = [
        ["OcrServe", "WantedWorkers", "Cluster", var.name, { stat = "Maximum" }],
        ["ECS/ContainerInsights", "DesiredTaskCount", "ClusterName", var.cluster_name, "ServiceName", var.worker_service_name, { stat = "Average" }],
        ["ECS/ContainerInsights", "RunningTaskCount", "ClusterName", var.cluster_name, "ServiceName", var.worker_service_name, { stat = "Average" }],
        ["AWS/ApplicationELB", "HealthyHostCount", "TargetGroup", var.target_group_arn_suffix, "LoadBalancer", var.alb_arn_suffix, { stat = "Minimum" }],
      ]
    },
    {
      title = "Calls that wait, replicas that are missing"
      metrics = [
        ["OcrServe", "QueuedCalls", "Cluster", var.name, { stat = "Maximum" }],
        ["OcrServe", "MissingReplicas", "Cluster", var.name, { stat = "Maximum" }],
      ]
    },
    {
      title = "Pages read and failed, documents refused, errors of the service"
      metrics = [
        for metric in ["PagesRead", "PagesFailed", "DocumentsRefused", "ServiceErrors"] :
        ["OcrServe", metric, "Cluster", var.name, { stat = "Sum" }]
      ]
    },
    {
      title = "How long a new document waits (s)"
      metrics = [
        ["OcrServe", "AdmissionWaitS", "Cluster", var.name, { stat = "Maximum" }],
      ]
    },
    {
      title = "GPU utilisation (%)"
      metrics = [
        for group in var.gpu_asg_names :
        ["CWAgent", "nvidia_smi_utilization_gpu", "AutoScalingGroupName", group, { stat = "Average" }]
      ]
    },
    {
      title = "GPU memory (MiB)"
      metrics = [
        for group in var.gpu_asg_names :
        ["CWAgent", "nvidia_smi_memory_used", "AutoScalingGroupName", group, { stat = "Maximum" }]
      ]
    },
    {
      title = "Memory of the instances (%)"
      metrics = [
        for group in var.gpu_asg_names :
        ["CWAgent", "mem_used_percent", "AutoScalingGroupName", group, { stat = "Maximum" }]
      ]
    },
    {
      title = "Stores"
      metrics = [
        ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId", "${var.valkey_id}-001", { stat = "Maximum" }],
        ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", var.postgres_id, { stat = "Average" }],
        ["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", var.postgres_id, { stat = "Maximum" }],
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [
      for index, widget in local.widgets : {
        type   = "metric"
        x      = 12 * (index % 2)
        y      = 6 * floor(index / 2)
        width  = 12
        height = 6
        properties = {
          title   = widget.title
          metrics = widget.metrics
          region  = local.region
          period  = 60
          view    = "timeSeries"
        }
      }
    ]
  })
}
