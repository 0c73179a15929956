# Read from the file that the entry points read, so that the three cannot disagree.
locals {
  lines = split("\n", file("${path.module}/../../../cluster/ports.env"))
  ports = {
    for line in local.lines : split("=", line)[0] => tonumber(split("=", line)[1])
    if can(regex("^PORT_[A-Z_]+=[0-9]+$", line))
  }
}
