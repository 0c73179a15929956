#!/usr/bin/env bash
# push-image.sh IMAGE REPOSITORY_URL TAG: push an image under a new tag and wait for the registry's scan of it.
set -euo pipefail

image=$1 repository=$2 tag=$3
registry=${repository%%/*} name=${repository#*/}

# Tags never move: a second run of the same commit finds its image there.
if aws ecr describe-images --repository-name "$name" --image-ids "imageTag=$tag" >/dev/null 2>&1; then
  echo "$repository:$tag is there already"
else
  aws ecr get-login-password | docker login --username AWS --password-stdin "$registry"
  docker tag "$image" "$repository:$tag"
  docker push "$repository:$tag"
fi

aws ecr wait image-scan-complete --repository-name "$name" --image-id "imageTag=$tag"
critical=$(aws ecr describe-image-scan-findings --repository-name "$name" --image-id "imageTag=$tag" \
  --query 'imageScanFindings.findingSeverityCounts.CRITICAL' --output text)
case $critical in
  None | 0) echo "the scan of $repository:$tag found nothing critical" ;;
  *)
    echo "the scan of $repository:$tag found $critical critical faults" >&2
    exit 1
    ;;
esac
