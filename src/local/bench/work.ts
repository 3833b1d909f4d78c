export async function benchWork() {
  return {};
}
