"""The kinds of the group `kargo.akuity.io/v1alpha1`, and the keys that mark objects."""

from __future__ import annotations

from gitops_e2e.kube import Resource

GROUP = "kargo.akuity.io"
API_VERSION = f"{GROUP}/v1alpha1"

PROJECTS = Resource(API_VERSION, "Project", "projects", namespaced=False)
PROJECT_CONFIGS = Resource(API_VERSION, "ProjectConfig", "projectconfigs", namespaced=True)
WAREHOUSES = Resource(API_VERSION, "Warehouse", "warehouses", namespaced=True)
FREIGHTS = Resource(API_VERSION, "Freight", "freights", namespaced=True)
STAGES = Resource(API_VERSION, "Stage", "stages", namespaced=True)
PROMOTIONS = Resource(API_VERSION, "Promotion", "promotions", namespaced=True)
PROMOTION_TASKS = Resource(API_VERSION, "PromotionTask", "promotiontasks", namespaced=True)

FINALIZER = f"{GROUP}/finalizer"

LABEL_PROJECT = f"{GROUP}/project"
LABEL_ALIAS = f"{GROUP}/alias"
LABEL_SHARD = f"{GROUP}/shard"
LABEL_STAGE = f"{GROUP}/stage"
LABEL_FREIGHT_COLLECTION = f"{GROUP}/freight-collection"
LABEL_CREDENTIAL_TYPE = f"{GROUP}/cred-type"

ANNOTATION_REFRESH = f"{GROUP}/refresh"
ANNOTATION_REVERIFY = f"{GROUP}/reverify"
ANNOTATION_ABORT = f"{GROUP}/abort"
ANNOTATION_CREATE_ACTOR = f"{GROUP}/create-actor"
ANNOTATION_AUTHORIZED_STAGE = f"{GROUP}/authorized-stage"
ANNOTATION_ARGOCD_CONTEXT = f"{GROUP}/argocd-context"
ANNOTATION_PROMOTION = f"{GROUP}/promotion"
ANNOTATION_STAGE = f"{GROUP}/stage"
ANNOTATION_KEEP_NAMESPACE = f"{GROUP}/keep-namespace"
