// The page for an address that leads nowhere.
import { startChrome } from "./chrome.js";

startChrome();
