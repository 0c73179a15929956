output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "public_subnets" {
  description = "Subnets of the load balancer and the NAT gateways."
  value       = [for zone in var.zones : aws_subnet.public[zone].id]
}

output "private_subnets" {
  description = "Subnets of everything else."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "security_groups" {
  description = "Security groups by the part that they stand around: alb, nodes, head, workers, instances, valkey, postgres, endpoints."
  value       = { for part, group in aws_security_group.this : part => group.id }
}
