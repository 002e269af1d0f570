import { topic } from './helpers.mjs';
export default topic('startup', '', () => {});
