// The event by which a picture tells where its reader looks, and hosts/place.js hears it.

export const TOLD = "ax-place";
