// Node itself: a handler that does nothing.
export const handler = async () => ({ status: '200' });
