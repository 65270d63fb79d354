// The first page: the live flow and the latest alerts.
import { startAlerts } from "./alerts.js";
import { startChrome } from "./chrome.js";
import { startFlow } from "./flow.js";

await startChrome();
startFlow();
startAlerts();
