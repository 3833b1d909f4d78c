import type { HttpHandler } from '@azure/functions';

/** `GET /health`: the app is alive; nothing else is asked, so nothing else can make it say no. */
export const health: HttpHandler = () => ({ status: 200, jsonBody: { status: 'ok' } });
