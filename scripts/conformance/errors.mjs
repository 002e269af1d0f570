import { topic } from './helpers.mjs';
export default topic('errors', '', () => {});
