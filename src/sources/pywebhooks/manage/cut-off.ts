/** After so many failed deliveries in a row PyWebhooks sends an account nothing more. */
export const cutOffAt = 250;
