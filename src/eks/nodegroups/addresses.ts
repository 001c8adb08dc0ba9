// Addresses in a VPC that nobody else gives out (simulated nodes): 10.0.0.0/16, the n-th zone from 10.0.(20n+1).10 on.

const addressesPerThird = 240;
const thirdsPerZone = 20;

/** The lowest address of the zone that nobody has. */
export function freeAddress(zone: string, taken: ReadonlySet<string>): string {
  const zoneIndex = (zone.charCodeAt(zone.length - 1) - 97) % 12;
  for (let third = 0; third < thirdsPerZone; third++) {
    for (let host = 0; host < addressesPerThird; host++) {
      const address = `10.0.${zoneIndex * thirdsPerZone + third + 1}.${host + 10}`;
      if (!taken.has(address)) return address;
    }
  }
  throw new Error('the subnet has no free addresses');
}
