output "issuer" {
  description = "Who signs the tokens (COGNITO_ISSUER)."
  value       = "https://cognito-idp.${data.aws_region.current.region}.amazonaws.com/${aws_cognito_user_pool.this.id}"
}

output "client_id" {
  description = "Whom the tokens are for (COGNITO_AUDIENCE)."
  value       = aws_cognito_user_pool_client.web.id
}

output "user_pool_id" {
  description = "The user pool, to invite users to."
  value       = aws_cognito_user_pool.this.id
}

output "sign_in_domain" {
  description = "Prefix of the sign-in page's address."
  value       = aws_cognito_user_pool_domain.this.domain
}
