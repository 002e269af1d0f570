import { topic } from './helpers.mjs';
export default topic('ioapic', '', () => {});
