mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                    = "ocr-test"
  kms_key_arn             = "arn:aws:kms:ap-northeast-2:123456789012:key/test"
  alb_arn_suffix          = "app/ocr/1"
  target_group_arn_suffix = "targetgroup/ocr/1"
  cluster_name            = "ocr-test"
  worker_service_name     = "worker"
  head_service_name       = "head"
  gpu_asg_names           = ["ocr-gpu", "ocr-gpu-spot"]
  valkey_id               = "ocr"
  postgres_id             = "ocr"
  min_workers             = 2
  max_workers             = 6
}

run "alarms" {
  variables {
    alarm_email = "operator@example.com"
  }

  assert {
    condition = length(setsubtract(
      [
        "p95-response-time", "target-5xx", "healthy-hosts", "queue-depth", "capacity-at-maximum",
        "admission-wait", "documents-refused", "service-errors", "limits-unchecked", "silent-nodes",
      ],
      keys(aws_cloudwatch_metric_alarm.simple),
    )) == 0
    error_message = "What operators must know of has an alarm."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.simple["p95-response-time"].extended_statistic == "p95"
      && aws_cloudwatch_metric_alarm.simple["p95-response-time"].metric_name == "TargetResponseTime"
    )
    error_message = "Response times are judged by their 95th percentile."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.gpu) == 4
    error_message = "Both pools have alarms for utilisation and memory."
  }

  assert {
    condition = alltrue([
      for name in ["healthy-hosts", "head-down", "queue-depth"] :
      aws_cloudwatch_metric_alarm.simple[name].treat_missing_data == "breaching"
    ])
    error_message = "No data is not health."
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.simple), values(aws_cloudwatch_metric_alarm.gpu), [aws_cloudwatch_metric_alarm.idle_gpu_cost]) :
      alarm.alarm_actions == toset([aws_sns_topic.alarms.arn])
    ])
    error_message = "Every alarm tells somebody."
  }

  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == var.kms_key_arn && length(aws_sns_topic_subscription.email) == 1
    error_message = "Messages are encrypted and have a reader."
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 10
    error_message = "The dashboard shows everything."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.simple["capacity-at-maximum"].threshold == 6
    error_message = "The maximum is max_workers."
  }
}

run "nobody_told" {
  assert {
    condition     = length(aws_sns_topic_subscription.email) == 0
    error_message = "No e-mail without an address."
  }
}
