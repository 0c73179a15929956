variable "name" {
  type        = string
  description = "Name of the stack; the key's alias carries it."
}
