#!/usr/bin/env bash
# plan.sh [OPTION ...]: plan an environment, print the plan and its digest. With AGREED set, fail when the digest differs.
# Reads ENVIRONMENT, IMAGE_TAG, BACKEND (backend.hcl) and VALUES (terraform.tfvars); leaves plan.bin in the folder.
set -euo pipefail

cd "$(dirname "$0")/../terraform/envs/$ENVIRONMENT"
umask 077
printf '%s\n' "$BACKEND" > backend.hcl
printf '%s\n' "$VALUES" > terraform.tfvars
terraform init -input=false -no-color -backend-config=backend.hcl
terraform plan -input=false -no-color -var "image_tag=$IMAGE_TAG" -out=plan.bin "$@" > plan.log || {
  cat plan.log
  exit 1
}
terraform show -no-color plan.bin > plan.txt
cat plan.txt

digest=$(sha256sum < plan.txt)
digest=${digest%% *}
if [[ -n ${AGREED:-} && $AGREED != "$digest" ]]; then
  echo "The world changed since the plan was agreed to: run the workflow again." >&2
  exit 1
fi
echo "digest=$digest" >> "${GITHUB_OUTPUT:-/dev/null}"
{
  printf '### Plan of %s\n\n```\n' "$ENVIRONMENT"
  head -c 500000 plan.txt
  printf '\n```\n'
} >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
