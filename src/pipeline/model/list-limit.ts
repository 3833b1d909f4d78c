/** The most events that one request lists; where so many are there, there may be more. */
export const mostListed = 200;
