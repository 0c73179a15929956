# How GitHub's workflows get at the account: by identities that last for a job, never by a key. The provider is one an
# account. Roles that plan and apply stand here, not in the environments, so that an apply cannot widen its own role.
locals {
  has_github = var.github_repository != null
  github     = "token.actions.githubusercontent.com"
  partition  = data.aws_partition.current.partition
  account    = data.aws_caller_identity.current.account_id

  # Pull requests and main plan. Jobs in an environment's name apply: GitHub lets them wait for an approval.
  github_subjects = local.has_github ? {
    plan         = ["repo:${var.github_repository}:pull_request", "repo:${var.github_repository}:ref:refs/heads/main"]
    "apply-dev"  = ["repo:${var.github_repository}:environment:dev"]
    "apply-prod" = ["repo:${var.github_repository}:environment:prod"]
  } : {}

  # What the read-only policy of AWS does not have and a plan needs, and what it has and nobody needs.
  plan_statements = [
    {
      Sid      = "ReadState"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:ListBucket"]
      Resource = [local.bucket_arn, "${local.bucket_arn}/*"]
    },
    {
      Sid      = "DecryptState"
      Effect   = "Allow"
      Action   = ["kms:Decrypt"]
      Resource = aws_kms_key.state.arn
    },
    {
      Sid      = "CompareSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"]
      Resource = "arn:${local.partition}:secretsmanager:*:${local.account}:secret:${var.project_name}-*"
    },
    {
      Sid       = "DecryptSecrets"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = "arn:${local.partition}:kms:*:${local.account}:key/*"
      Condition = { StringLike = { "kms:ViaService" = "secretsmanager.*.amazonaws.com" } }
    },
    {
      Sid      = "ReadNoDocuments"
      Effect   = "Deny"
      Action   = ["s3:GetObject", "s3:GetObjectVersion"]
      Resource = "arn:${local.partition}:s3:::${var.project_name}-*-jobs-*/*"
    },
  ]

  apply_statements = {
    for env in ["dev", "prod"] : "apply-${env}" => [
      {
        # The power user's policy leaves IAM out; these are the stack's own roles, by their names.
        Sid    = "ManageRolesOfTheStack"
        Effect = "Allow"
        Action = [
          "iam:AddRoleToInstanceProfile", "iam:AttachRolePolicy", "iam:CreateInstanceProfile", "iam:CreateRole",
          "iam:DeleteInstanceProfile", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
          "iam:GetInstanceProfile", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
          "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:PutRolePolicy",
          "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile", "iam:TagRole", "iam:UntagInstanceProfile",
          "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
        ]
        Resource = [
          "arn:${local.partition}:iam::${local.account}:role/${var.project_name}-${env}-*",
          "arn:${local.partition}:iam::${local.account}:instance-profile/${var.project_name}-${env}-*",
        ]
      },
      {
        Sid      = "HandRolesOver"
        Effect   = "Allow"
        Action   = ["iam:PassRole"]
        Resource = "arn:${local.partition}:iam::${local.account}:role/${var.project_name}-${env}-*"
        Condition = { StringEquals = { "iam:PassedToService" = [
          "ec2.amazonaws.com", "ecs-tasks.amazonaws.com", "monitoring.rds.amazonaws.com", "vpc-flow-logs.amazonaws.com",
        ] } }
      },
      {
        Sid      = "LetServicesHaveTheirRoles"
        Effect   = "Allow"
        Action   = ["iam:CreateServiceLinkedRole"]
        Resource = "arn:${local.partition}:iam::${local.account}:role/aws-service-role/*"
      },
      {
        # The state of the other environment, and this one's own rights, are out of reach.
        Sid      = "KeepToOneState"
        Effect   = "Deny"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        Resource = "${local.bucket_arn}/${env == "dev" ? "prod" : "dev"}/*"
      },
    ]
  }

  github_statements = merge({ plan = local.plan_statements }, local.apply_statements)
}

resource "aws_iam_openid_connect_provider" "github" {
  count = local.has_github ? 1 : 0

  url            = "https://${local.github}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "github" {
  for_each = local.github_subjects

  name = "${var.project_name}-github-${each.key}"
  # An apply makes a database; credentials must not end before it does.
  max_session_duration = each.key == "plan" ? 3600 : 7200

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.github[0].arn }
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

resource "aws_iam_role_policy_attachment" "github" {
  for_each = aws_iam_role.github

  role       = each.value.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.key == "plan" ? "ReadOnlyAccess" : "PowerUserAccess"}"
}

resource "aws_iam_role_policy" "github" {
  for_each = aws_iam_role.github

  name   = each.key
  role   = each.value.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.github_statements[each.key] })
}
