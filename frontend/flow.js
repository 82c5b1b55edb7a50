/* The flow designer. One custom element for each concern: the sheet (zoom, pan, keys), the wires, the designer. */
import "./flow/wires.js";
import "./flow/canvas.js";
import "./flow/designer.js";
import "./flow/tag-field.js";
import "./flow/faults.js";
import "./flow/add-list.js";
import "./flow/together.js";
import "./flow/comments.js";
