# Serve's own autoscaler says how many replicas it wants; the head prints how many workers these need (WantedWorkers).
# The ratio to the workers that were asked for is held at 100 %: the count follows the wish, once, however long a node
# takes to start.
resource "aws_appautoscaling_target" "workers" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.cluster_name}/${aws_ecs_service.worker.name}"
  min_capacity       = var.min_workers
  max_capacity       = var.max_workers

  lifecycle {
    precondition {
      condition     = var.max_workers >= var.min_workers
      error_message = "max_workers must be at least min_workers."
    }
  }
}

resource "aws_appautoscaling_policy" "workers" {
  name               = "${var.name}-wanted-workers"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.workers.service_namespace
  scalable_dimension = aws_appautoscaling_target.workers.scalable_dimension
  resource_id        = aws_appautoscaling_target.workers.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 100
    scale_out_cooldown = 60
    scale_in_cooldown  = var.scale_in_cooldown_s

    customized_metric_specification {
      metrics {
        id          = "ratio"
        label       = "Wanted workers in percent of those asked for"
        expression  = "100 * wanted / asked"
        return_data = true
      }

      metrics {
        id          = "wanted"
        return_data = false

        metric_stat {
          stat = "Maximum"

          metric {
            namespace   = "OcrServe"
            metric_name = "WantedWorkers"

            dimensions {
              name  = "Cluster"
              value = var.name
            }
          }
        }
      }

      metrics {
        id          = "asked"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "DesiredTaskCount"

            dimensions {
              name  = "ClusterName"
              value = var.cluster_name
            }

            dimensions {
              name  = "ServiceName"
              value = aws_ecs_service.worker.name
            }
          }
        }
      }
    }
  }
}
