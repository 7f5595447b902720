export const hasSoftwareDriver: boolean;
export function useSoftwareDriver(): void;
