import { topic } from './helpers.mjs';
export default topic('pic', '', () => {});
