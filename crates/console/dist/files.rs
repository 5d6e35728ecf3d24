// Made by `npm run build` in console/.
&[
    File { name: "assets/index-C2KsEYV7.js", content_type: "text/javascript; charset=utf-8", etag: "\"060d092cf713570e\"", gzip: include_bytes!("assets/index-C2KsEYV7.js.gz") },
    File { name: "assets/index-DshnH7Yd.css", content_type: "text/css; charset=utf-8", etag: "\"26695efbe4fcf244\"", gzip: include_bytes!("assets/index-DshnH7Yd.css.gz") },
    File { name: "assets/overview-CjqtNieR.css", content_type: "text/css; charset=utf-8", etag: "\"53b6779379a7bd09\"", gzip: include_bytes!("assets/overview-CjqtNieR.css.gz") },
    File { name: "assets/overview-DmSUemJF.js", content_type: "text/javascript; charset=utf-8", etag: "\"5e907b0be011d127\"", gzip: include_bytes!("assets/overview-DmSUemJF.js.gz") },
    File { name: "icon.svg", content_type: "image/svg+xml", etag: "\"19f660aecb4cfcd0\"", gzip: include_bytes!("icon.svg.gz") },
    File { name: "index.html", content_type: "text/html; charset=utf-8", etag: "\"89df925153dc1e78\"", gzip: include_bytes!("index.html.gz") },
    File { name: "theme.js", content_type: "text/javascript; charset=utf-8", etag: "\"11352b7f64de95a3\"", gzip: include_bytes!("theme.js.gz") },
]
