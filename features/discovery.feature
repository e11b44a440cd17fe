Feature: Releases become Freight
  The Warehouse looks for releases of the service in the image repository.
  Those that its constraint admits become Freight, which can be promoted.

  Rule: A release that the constraint admits becomes Freight, once

    Example: 1.0.0 becomes Freight, 0.9.0 does not
      Given a project whose stages deploy nothing
      And release 0.9.0 is in the registry, and the Warehouse has looked
      When release 1.0.0 is pushed to the registry
      Then there is Freight of 1.0.0, with an alias, and named after what it consists of
      And there is no other Freight than that of 1.0.0

    Example: another release becomes another piece of Freight
      Given a project whose stages deploy nothing
      And there is Freight of 1.0.0
      When release 1.1.0 is pushed to the registry
      Then there is Freight of 1.1.0, with an alias, and named after what it consists of
      And there is no other Freight than that of 1.0.0, 1.1.0

    Example: what is Freight already does not become Freight again
      Given a project whose stages deploy nothing
      And there is Freight of 1.0.0
      When the Warehouse looks again
      Then the Warehouse says that there is such Freight already
      And there is no other Freight than that of 1.0.0

  Rule: Where there is nothing to be had, the Warehouse says so

    Example: the constraint matches nothing
      Given a project whose stages deploy nothing
      And the Warehouse looks for ^9.0.0
      When release 1.0.0 is pushed to the registry
      Then the Warehouse is not ready: No references discovered for image repository
      And there is no Freight

  Rule: A Warehouse that cannot look keeps what it knows, and goes on when it can

    @fault
    Example: the registry goes away
      Given a project whose stages deploy nothing
      And the Warehouse reaches the registry at an address of its own
      And there is Freight of 1.0.0
      When the registry goes away from that address
      Then the Warehouse could not look: Artifact discovery failed: error discovering images
      And there is no other Freight than that of 1.0.0

    Example: the registry comes back
      Given a project whose stages deploy nothing
      And the Warehouse reaches the registry at an address of its own
      And there is Freight of 1.0.0
      And the registry went away from that address, and release 1.1.0 came in the meantime
      When the registry comes back
      Then there is Freight of 1.1.0, with an alias, and named after what it consists of
