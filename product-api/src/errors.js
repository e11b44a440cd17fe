/** Why the service cannot start: the message is one line that says what to set right. */
export class StartError extends Error {}
