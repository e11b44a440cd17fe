Feature: What cannot work is refused at once
  Kargo refuses what it can tell to be wrong when it is asked for, and says why.
  What it can only tell later is accepted; the promotion then fails in that step.

  Rule: What is wrong is refused, in Kargo's words

    Example: wrong promotions
      Given a project with Freight of 1.0.0 in dev and staging, and of 1.1.0 in no stage
      Then Kargo answers, when this is asked for:
        | what is asked for                                         | answer                                                     |
        | a promotion of Freight that is not available to the stage | Freight is not available to this Stage                     |
        | a promotion of Freight that does not exist                | "deadbeef": Freight is not available to this Stage         |
        | a promotion to a stage that does not exist                | could not find Stage "nope" in namespace                   |
        | a promotion without steps                                 | defines no promotion steps                                 |
        | a promotion by a task that does not exist                 | PromotionTask.kargo.akuity.io "missing" not found          |
        | a promotion that changes its Freight                      | spec is immutable                                          |
        | a promotion with a step of no known kind                  | accepted                                                   |
        | a promotion with a step that lacks configuration          | accepted                                                   |
        | a promotion with a variable that is not defined           | accepted                                                   |
        | a promotion that clones from nowhere                      | accepted                                                   |
        | a promotion that builds an overlay that does not exist    | accepted                                                   |
        | a promotion that syncs an Application that does not exist | accepted                                                   |

    Example: wrong stages, Warehouses, Freight, projects and tasks
      Given a project with Freight of 1.0.0 in dev and staging, and of 1.1.0 in no stage
      Then Kargo answers, when this is asked for:
        | what is asked for                            | answer                                                                  |
        | a stage with two steps of one name           | step alias duplicates that of spec.promotionTemplate.spec.steps[0]      |
        | a stage with a step whose name is reserved   | step alias is reserved                                                  |
        | a stage that requests no Freight             | spec.requestedFreight in body should have at least 1 items              |
        | a stage that requests Freight from nowhere   | accepted                                                                |
        | a stage that requests the same Freight twice | requested multiple times in spec.requestedFreight                       |
        | a stage in a namespace that is no project    | namespace "default" is not a project                                    |
        | a Warehouse with a constraint that is none   | spec.subscriptions[0].image.constraint: Invalid value: "not-a-range"    |
        | a Warehouse that looks twice at one place    | subscription for image repository already exists at                     |
        | a Warehouse whose registry does not exist    | accepted                                                                |
        | a project whose namespace is somebody else's | already exists and is not labeled as a Project namespace                |
        | Freight that changes                         | images[0]: Invalid value: {"repoURL":"a/b","tag":"1"}: Freight is immutable |
        | Freight that goes while it is in use         | freight is in-use by stages                                             |
        | a task without steps                         | spec.steps in body should have at least 1 items                         |
