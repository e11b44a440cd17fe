Feature: Which stage takes which Freight, and when
  Freight is offered to a stage once it has proven itself in the stages before.
  Whether the stage takes it by itself is for the project's policies to say.

  Rule: Policies tell by name, pattern or label which stages take new Freight by themselves

    Scenario Outline: a policy for <selector>
      Given a project whose stages take Freight straight from the Warehouse
      And staging is labelled tier=customers
      And a policy lets the stages of <selector> take new Freight by themselves
      When release 1.0.0 is pushed to the registry
      Then of the stages, <stages> have taken 1.0.0 by themselves, and no other

      Examples:
        | selector                  | stages       |
        | name prod                 | prod         |
        | name glob:*g              | staging      |
        | name regex:^(dev\|prod)$  | dev, prod    |
        | name regex:d              | dev, prod    |
        | label tier=customers      | staging      |

  Rule: Freight has to soak for as long as the stage asks

    Example: staging takes Freight that was in dev for 6 seconds
      Given a project whose stages deploy nothing
      And staging takes only what was in dev for 6s
      When release 1.0.0 is pushed to the registry
      Then 1.0.0 is verified in dev
      But a promotion of 1.0.0 to staging is refused: Freight is not available to this Stage
      And once 1.0.0 was in dev for 6 seconds, staging takes it

  Rule: A control-flow stage lets through what it is offered

    Example: Freight goes through a stage that promotes nothing
      Given a project whose stages deploy nothing
      And staging is a control-flow stage
      When release 1.0.0 is pushed to the registry
      Then 1.0.0 is verified in dev, and then in staging
      And no promotion to staging was made
      And 1.0.0 can be promoted to prod
