# What GitHub's workflows may do with this stack. The provider of their identities is one an account, so bootstrap makes it.
locals {
  has_github = var.github_repository != null
  github     = "token.actions.githubusercontent.com"

  # Who: workflows of one branch push images; jobs in the environment's name, which GitHub lets wait for an approval,
  # deploy the application.
  github_subjects = {
    push   = "repo:${coalesce(var.github_repository, "none/none")}:ref:refs/heads/${var.github_branch}"
    deploy = "repo:${coalesce(var.github_repository, "none/none")}:environment:${var.github_environment}"
  }

  github_statements = {
    push = [
      {
        Sid      = "LogInToRegistry"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = "*"
      },
      {
        Sid    = "PushImage"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:CompleteLayerUpload",
          "ecr:DescribeImageScanFindings",
          "ecr:DescribeImages",
          "ecr:InitiateLayerUpload",
          "ecr:PutImage",
          "ecr:UploadLayerPart",
        ]
        Resource = var.ecr_repository_arn
      },
    ]
    # What `ocr-serve deploy --env` does: find the head's task, read the cluster's token, open a session to it.
    deploy = [
      {
        Sid       = "FindHead"
        Effect    = "Allow"
        Action    = ["ecs:ListTasks"]
        Resource  = "*"
        Condition = { ArnEquals = { "ecs:cluster" = local.cluster_arn } }
      },
      {
        Sid      = "LookAtHead"
        Effect   = "Allow"
        Action   = ["ecs:DescribeTasks"]
        Resource = "arn:${local.partition}:ecs:${local.region}:${local.account}:task/${var.name}/*"
      },
      {
        Sid      = "ReadToken"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = var.ray_token_secret_arn
      },
      {
        Sid       = "DecryptToken"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = var.kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${local.region}.amazonaws.com" } }
      },
      {
        Sid    = "OpenTunnel"
        Effect = "Allow"
        Action = ["ssm:StartSession"]
        Resource = [
          "arn:${local.partition}:ecs:${local.region}:${local.account}:task/${var.name}/*",
          "arn:${local.partition}:ssm:${local.region}::document/AWS-StartPortForwardingSession",
        ]
        # Without it a session that names no document would be a shell.
        Condition = { BoolIfExists = { "ssm:SessionDocumentAccessCheck" = "true" } }
      },
      {
        Sid      = "CloseTunnel"
        Effect   = "Allow"
        Action   = ["ssm:TerminateSession"]
        Resource = "arn:${local.partition}:ssm:${local.region}:${local.account}:session/${var.name}-github-deploy*"
      },
    ]
  }

  cluster_arn = "arn:${local.partition}:ecs:${local.region}:${local.account}:cluster/${var.name}"
}

resource "aws_iam_role" "github" {
  #checkov:skip=CKV_AWS_393:It does not resolve each.value; each subject names a repository and its branch or environment (tests/iam.tftest.hcl)
  for_each = local.has_github ? local.github_subjects : {}

  name = "${var.name}-github-${each.key}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "arn:${local.partition}:iam::${local.account}:oidc-provider/${local.github}" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.github}:aud" = "sts.amazonaws.com"
          "${local.github}:sub" = each.value
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "github" {
  for_each = aws_iam_role.github

  name   = each.key
  role   = each.value.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.github_statements[each.key] })
}
