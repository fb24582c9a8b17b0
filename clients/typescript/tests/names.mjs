// The names of clients/conformance in TypeScript: a method of `Nuncio`, and the function that waits.
export const METHODS = {
  dispatch: "dispatch", settings_update: "settingsUpdate", server_state_change: "serverStateChange",
  sync_completion: "syncCompletion", system_alert: "systemAlert", support_ticket: "supportTicket",
  node_alert: "nodeAlert", billing_event: "billingEvent",
};
export const FUNCTIONS = {
  dispatch: "dispatchWebhook", settings_update: "dispatchSettingsUpdate",
  server_state_change: "dispatchServerStateChange", sync_completion: "dispatchSyncCompletion",
  system_alert: "dispatchSystemAlert", support_ticket: "dispatchSupportTicket",
  node_alert: "dispatchNodeAlert", billing_event: "dispatchBillingEvent",
};
/** `null` of a case is an argument that is left out. */
export const args = (list) => list.map((value) => (value === null ? undefined : value));
export const options = (of) => of && Object.fromEntries(
  Object.entries(of).map(([name, value]) => [name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()), value]));
/** Every field of a case must be known: one that no test reads tests nothing. */
export function known(value, ...names) {
  for (const name of Object.keys(value)) if (!names.includes(name)) throw new Error(`unknown field ${name}`);
}
